package tests

import "strings"

// payload is something that has broken somebody's page, and where it is from.
type payload struct{ what, text string }

// payloads are typed wherever something can be typed, see TestBrowserStandsPayloads. What would run sets window.ran.
var payloads = []payload{
	{"a script", `<script>window.ran=1</script>`},
	{"a script in capitals", `<SCRIPT SRC=//evil.example/x.js></SCRIPT>`},
	{"a broken script", `<scr<script>ipt>window.ran=1</scr</script>ipt>`},
	{"a picture that fails", `<img src=x onerror="window.ran=1">`},
	{"a picture after a quote", `"><img src=x onerror=window.ran=1>`},
	{"an attribute", `' onmouseover='window.ran=1' autofocus onfocus='window.ran=1`},
	{"svg", `<svg/onload=window.ran=1><animate onbegin=window.ran=1>`},
	{"mathml", `<math><mi//xlink:href="javascript:window.ran=1">x</mi></math>`},
	{"a frame", `<iframe srcdoc="<script>parent.ran=1</script>"></iframe>`},
	{"an object", `<object data="javascript:window.ran=1"></object><embed src="javascript:window.ran=1">`},
	{"a form", `<form action=//evil.example><button formaction="javascript:window.ran=1">x</button></form>`},
	{"a style", `<style>body{display:none}</style><p style="position:fixed;inset:0;background:red">`},
	{"the ends of everything", `</p></div></li></ol></textarea></title></template></noscript></style><script>window.ran=1</script>`},
	{"a comment", `<!--><img src=x onerror=window.ran=1>-->`},
	{"CDATA", `<![CDATA[<script>window.ran=1</script>]]>`},
	{"a fragment of ours", `<li id="log" data-list="log" class="message" data-seq="999999" data-member="x">я не я</li>`},
	{"a frame of ours", `<template data-frame="notice" data-action="ban">вон</template>`},
	{"our names", `<form id="composer"><input name="text"><a id="help" href="//evil.example">`},
	{"entities", `&lt;script&gt;window.ran=1&lt;/script&gt; &#x3c;img src=x onerror=window.ran=1&#x3e;`},
	{"a template of Go", `{{.Name}} {{template "partials/words"}} ${window.ran=1}`},
	{"a link that runs", `[нажми](javascript:window.ran=1) <javascript:window.ran=1>`},
	{"the same, hidden", `[нажми](JaVa&#115;cript:window.ran=1) [и](java	script:window.ran=1) [и]( javascript:window.ran=1)`},
	{"a link with data", `[нажми](data:text/html;base64,PHNjcmlwdD5wYXJlbnQucmFuPTE8L3NjcmlwdD4=) <data:text/html,x>`},
	{"links to elsewhere", `[a](vbscript:x) [b](file:///etc/passwd) [c](//evil.example) [d](blob:x) [e](ftp://evil.example/)`},
	{"a picture by Markdown", `![x](https://evil.example/track.png) ![x](javascript:window.ran=1) ![x][1]` + "\n\n[1]: data:image/svg+xml,x"},
	{"a title that ends", `[a](https://a.example "x\" onmouseover=\"window.ran=1")`},
	{"an address that ends", `https://a.example/"onmouseover="window.ran=1" <https://a.example/'onclick='window.ran=1>`},
	{"a name in an address", `https://bank.example@evil.example/ [bank.example](https://u:p@evil.example)`},
	{"code that ends", "```\n</code></pre><script>window.ran=1</script>\n```\n`</code><img src=x onerror=window.ran=1>`"},
	{"a language that ends", "```\"><script>window.ran=1</script>\nx\n```"},
	{"right to left", "\u202eтут\u202d \u2066тут\u2069 \u200fтут exe.\u202egpj"},
	{"right to left, open", "начало \u202e\u202e\u2067\u2067\u202b и не закрыто"},
	{"zalgo", "з" + strings.Repeat("\u0300\u0301\u0302\u0303\u0304\u0316\u0317\u0318", 40) + "ло"},
	{"zalgo in every letter", strings.Repeat("a"+strings.Repeat("\u0310\u0323", 12), 20)},
	{"no ink", "\u200b\u200c\u200d\u2060\ufeff\u00ad.\u2800\u3164"},
	{"controls", "a\x01\x1b[31m\x7f\u0085b"},
	{"8,000 characters without a space", strings.Repeat("безпробела", 800)},
	{"8,000 letters W", strings.Repeat("W", 8000)},
	{"a long address", "https://a.example/" + strings.Repeat("x", 2000)},
	{"a wide line of code", "```\n" + strings.Repeat("широко", 300) + "\n```"},
	{"a wide word of code", "`" + strings.Repeat("широко", 300) + "`"},
	{"wide in a list in a quote", "> 1. - > " + strings.Repeat("широко", 100)},
	{"as deep as it goes", strings.Repeat("> ", 60) + "дно"},
	{"a long list number", strings.Repeat("9", 9) + ". раз\n2. два"},
	{"the widest character", strings.Repeat("﷽", 64)},
	{"characters without a break", strings.Repeat("\u2060щ", 500)},
	{"many lines", strings.Repeat("строка\n", 400)},
	{"an emoji of many", "👩‍👩‍👧‍👦🏳️‍🌈👍🏿" + strings.Repeat("👨‍👩‍👧‍👦", 200)},
	{"@names", "@<b>кто</b> @\"x @" + strings.Repeat("ы", 400)},
	{"brackets", strings.Repeat("[a](", 200) + strings.Repeat("*_", 200)},
}

// namesOfScripts say «name» or the like, one in each of the world's scripts that are written, and in some that were.
var namesOfScripts = []string{
	"Имя", "Name", "Όνομα", "Անուն", "სახელი", "ՀԱՅԿ", "שם", "שֵׁם מָלֵא", "اسم", "اسمُ المُستخدِم", "نام خانوادگی", "ܫܡܐ", "ނަން", "नाम", "নাম",
	"ਨਾਮ", "નામ", "ନାମ", "பெயர்", "పేరు", "ಹೆಸರು", "പേര്", "නම", "ชื่อ", "ຊື່", "མིང", "အမည်", "ឈ្មោះ", "이름", "なまえ", "ナマエ", "名前",
	"姓名", "ስም", "ᏚᏙᎥ", "ᐊᑎᖅ", "ᠨᠡᠷᠡ", "ᚾᚨᛗᛖ", "Ⲣⲁⲛ", "Тên", "Ñandú", "Čeněk", "Łukasz", "İsim", "ẞtraße", "Ọmọ́", "Æsir", "𐌽𐌰𐌼𐍉",
	"𓂋𓈖", "名🙂", "﷽", "Константин-Задунайский-Преображен", "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW", "ﷺﷺﷺﷺﷺﷺﷺﷺ", "𒐫𒐫𒐫𒐫",
}
