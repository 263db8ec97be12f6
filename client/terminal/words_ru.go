package terminal

import (
	"fmt"
	"strconv"
	"time"

	"govor/hub/protocol"
)

// plural picks the Russian form for n.
func plural(n int, one, few, many string) string {
	switch {
	case n%10 == 1 && n%100 != 11:
		return one
	case n%10 >= 2 && n%10 <= 4 && (n%100 < 12 || n%100 > 14):
		return few
	}
	return many
}

var russianMonths = [...]string{
	"января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября", "декабря",
}

var russian = words{
	lobby:      "Общая",
	youAre:     "Вы вошли как %s",
	nameTaken:  "Имя «%s» уже занято",
	nameYours:  "если оно ваше, нужен пароль (--password-file)",
	wordNeeded: "Нужен пароль: запишите его первой строкой в файл и укажите --password-file ФАЙЛ или задайте GOVOR_PASSWORD",
	wordWrong:  "Неверное имя или пароль: проверьте --password-file или GOVOR_PASSWORD; имени без пароля он не нужен",
	quitHint:   "Ctrl+C — выйти",
	online:     "%d онлайн",
	joined:     "%s теперь в чате",
	left:       "%s покидает чат",
	renamed:    "%s теперь %s",
	events: func(n, joined, left int) string {
		return fmt.Sprintf("%d %s: вошли %d, вышли %d", n, plural(n, "событие", "события", "событий"), joined, left)
	},
	offline:       "Нет связи",
	retryIn:       "Повтор через %d с",
	retryNow:      "Соединение…",
	back:          "Снова на связи",
	restart:       "Сервер обновляется, вернёмся через несколько секунд",
	connecting:    "Соединение…",
	cannotConnect: "Не удалось подключиться к %s: %s",
	waiting: func(n int) string {
		return fmt.Sprintf("%d %s отправки", n, plural(n, "сообщение ждёт", "сообщения ждут", "сообщений ждут"))
	},
	notSent: "Не отправлено: %s",
	keptForNext: func(n int) string {
		return fmt.Sprintf("%d %s; %s при следующем запуске", n,
			plural(n, "сообщение не отправлено", "сообщения не отправлены", "сообщений не отправлены"), plural(n, "уйдёт", "уйдут", "уйдут"))
	},
	leftWaiting: func(n int) string {
		return fmt.Sprintf("С прошлого раза %d %s отправки", n, plural(n, "сообщение ждёт", "сообщения ждут", "сообщений ждут"))
	},
	failedHint:    "/retry — отправить снова, /discard — выбросить, /outbox — список",
	noSuchFailed:  "Неотправленного сообщения номер %s нет; /outbox — список",
	nothingFailed: "Отправлять снова нечего",
	nothingWaits:  "Ничего не ждёт отправки",
	unsure:        "возможно, дошло; проверьте, прежде чем повторять",
	keepProblem:   "Введённое не удалось сохранить на диске: %s",
	notDelivered:  "Не отправлено (%d):",
	full:          "Слишком много сообщений ждёт отправки",
	gap:           "Часть истории не показана",
	erased:        "Сообщение удалено",
	edited:        "изменено",
	today:         "Сегодня",
	yesterday:     "Вчера",
	date: func(t time.Time, withYear bool) string {
		s := fmt.Sprintf("%d %s", t.Day(), russianMonths[t.Month()-1])
		if withYear {
			s += " " + strconv.Itoa(t.Year()) + " г."
		}
		return s
	},
	told:         toldInRussian,
	kicked:       "Доступ закрыт",
	replaced:     "Вы вошли в другом окне",
	closed:       "Соединение закрыто",
	noSuchServer: "%s отвечает, но это не Говор (%s)",
	pastedLines:  "вставлено строк: %d, Enter — отправить одним сообщением",
	tooLong:      "Слишком длинно: %d лишних символов",
	help: `/me ДЕЙСТВИЕ — что вы делаете, например /me машет рукой
/nick ИМЯ — другое имя
/who — кто здесь
/join КОМНАТА — перейти в другую комнату
/leave — назад в общую
/outbox, /retry [N], /discard [N] — неотправленное: список, отправить снова, выбросить
ведущим: /kick /mute /unmute /ban /unban /close /open /slow /mod /unmod /owner
//ТЕКСТ — текст с косой чертой в начале
Tab дополняет имена и команды, ↑ возвращает набранное, Alt+Enter — новая строка, Ctrl+C — выйти`,
	noCommand:  "Нет команды %s; /help — список, а // начинает текст с косой черты",
	needAction: "Напишите, что вы делаете: /me машет рукой",
	needName:   "Напишите имя: /nick Имя",
	needRoom:   "Напишите комнату: /join комната",
	leaveLobby: "Общую комнату не покидают; Ctrl+C — выйти",
	already:    "Вы уже здесь: %s",
	here:       "Здесь %d",
	more:       "и ещё %d",
	slowMode:   "Медленный режим. Следующее сообщение через %s",
	tooFast:    "Слишком часто",
	seconds:    "%d с",
	byProxyOnly: "Сервер не впускает напрямую: кто вы, ему говорит его обратный прокси. Подключитесь к адресу прокси через --server, " +
		"с именем и паролем, которые знает он (--password-file или GOVOR_PASSWORD)",
	proxyRefused: "%s не впускает (%d): возможно, прокси перед чатом. Проверьте имя и пароль для него: --password-file или GOVOR_PASSWORD",
	stateProblem: "Каталог состояния недоступен, имя не запомнится: %s",

	usage: `Консольный клиент Говора.

  govor client ИМЯ [флаги]
  go run client/client.go ИМЯ [флаги]

Строка после > и Enter — сообщение, Ctrl+C — выйти, /help — список команд вроде
/join КОМНАТА, // начинает сообщение с косой черты. Что не удалось отправить,
хранится и уйдёт первым, когда клиент запустят снова с тем же сервером, именем
и комнатой. Эти строки — для самого клиента:

  /outbox       показать неотправленное; у непринятого есть номера
  /retry [N]    отправить непринятое снова: всё или номер N
  /discard [N]  выбросить непринятое: всё или номер N

Владельцы и ведущие следят за порядком: /kick, /mute, /unmute, /ban, /unban,
/close, /open, /slow, /mod и /unmod, как сказано в README.ru.md. Строка с
пробелом впереди — всегда сообщение.

Если ввод или вывод не терминал, каждая строка ввода — сообщение, а в конце
ввода клиент ждёт подтверждений: echo готово | govor client ci
Такие строки не хранятся: код 6 говорит, что их надо отправить ещё раз.

%s
Переменные: GOVOR_SERVER, GOVOR_NAME, GOVOR_ROOM, GOVOR_LANG (ru, en);
GOVOR_PASSWORD — пароль имени или сервера: флага для него нет, ведь командную
строку видят все, кто работает на этой машине.
Коды возврата: 0 хорошо, 1 другая ошибка, 2 неверный вызов, 3 нет соединения,
4 имя или пароль не подходит, 5 доступ закрыт, 6 не всё доставлено, 130 прервано
с неотправленными сообщениями.
`,
	noName:      "Укажите имя: govor client ИМЯ",
	badArgument: "Лишний аргумент «%s»: имя из нескольких слов берут в кавычки",
	badServer:   "Непонятный адрес сервера «%s»: нужен http://, https://, ws://, wss:// или хост:порт",
	badRoom:     "Такой комнаты быть не может: «%s»",
	badName:     "Имя: от 1 до 32 символов, без пробелов по краям и управляющих знаков",
	badWordFile: "--password-file: %s",
	emptyLine:   "первая строка пуста",
	badColor:    "--color: auto, always или never",
	badHistory:  "--history: от 0 до %d",
	badTimeout:  "--timeout не бывает отрицательным",
	seeHelp:     "Справка: govor client --help",

	flagServer:        "`URL`: адрес сервера",
	flagName:          "`ИМЯ`: то же, что первый аргумент",
	flagRoom:          "`КОМНАТА`: куда войти",
	flagWordFile:      "`ФАЙЛ`: в его первой строке пароль",
	flagHistory:       "`N`: столько прошлых сообщений (в терминале 50, иначе 0)",
	flagJSON:          "выводить сообщения строками JSON",
	flagPlain:         "по сообщению в строке, без приглашения и цвета",
	flagSimple:        "приглашение > и строки над ним, как обычно",
	flagColor:         "`КОГДА`: цвет, auto, always или never",
	flagTimeout:       "`ВРЕМЯ`: сдаться, если нет связи (0 — никогда)",
	flagNoHistoryFile: "не хранить введённое, даже неотправленное",
	flagVersion:       "показать версию",
	flagHelp:          "эта справка",

	codes: map[protocol.Code]string{
		protocol.CodeIDReused:    "номер сообщения уже использован",
		protocol.CodeEmpty:       "сообщение пустое",
		protocol.CodeTooLong:     "сообщение слишком длинное",
		protocol.CodeBadText:     "текст не в UTF-8",
		protocol.CodeBadName:     "имя: от 1 до 32 символов, без пробелов по краям и управляющих знаков",
		protocol.CodeNameTaken:   "имя уже занято",
		protocol.CodeBadRoom:     "такой комнаты быть не может",
		protocol.CodeNoRoom:      "такой комнаты нет",
		protocol.CodeRoomClosed:  "комната закрыта",
		protocol.CodeForbidden:   "доступ закрыт",
		protocol.CodeBanned:      "доступ закрыт",
		protocol.CodeMuted:       "вам запретили писать",
		protocol.CodeReadOnly:    "в этой комнате пишут только ведущие",
		protocol.CodeSlowMode:    "медленный режим, подождите",
		protocol.CodeNoMember:    "такого участника нет",
		protocol.CodeLastOwner:   "сначала назначьте другого владельца",
		protocol.CodeBadCommand:  "команда написана не так",
		protocol.CodeBadToken:    "вход больше не действует",
		protocol.CodeTooFast:     "слишком часто",
		protocol.CodeTooMany:     "сервер переполнен, попробуйте позже",
		protocol.CodeUnavailable: "сервер сейчас не может сохранить сообщение",
		protocol.CodeInternal:    "ошибка на сервере",
	},
}
