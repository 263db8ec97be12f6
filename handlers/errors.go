package handlers

import (
	"errors"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/zap"

	"govor/hub"
	"govor/hub/protocol"
	"govor/views"
)

// status is the HTTP status of an error that is the client's to know.
func status(code protocol.Code) int {
	switch code {
	case protocol.CodeBadFrame, protocol.CodeUnknownType, protocol.CodeBadID, protocol.CodeEmpty, protocol.CodeBadText,
		protocol.CodeBadName, protocol.CodeBadRoom, protocol.CodeBadCommand:
		return fiber.StatusBadRequest
	case protocol.CodeBadToken, protocol.CodeNeedPassword, protocol.CodeBadPassword:
		return fiber.StatusUnauthorized
	case protocol.CodeBadInvite, protocol.CodeForbidden, protocol.CodeRoomClosed, protocol.CodeNotInRoom, protocol.CodeNotYours, protocol.CodeBanned,
		protocol.CodeMuted, protocol.CodeReadOnly:
		return fiber.StatusForbidden
	case protocol.CodeNoRoom, protocol.CodeNoTarget, protocol.CodeNoMember:
		return fiber.StatusNotFound
	case protocol.CodeNameTaken, protocol.CodeIDReused, protocol.CodeLastOwner:
		return fiber.StatusConflict
	case protocol.CodeTooLong:
		return fiber.StatusRequestEntityTooLarge
	case protocol.CodeTooFast, protocol.CodeTooMany, protocol.CodeSlowMode:
		return fiber.StatusTooManyRequests
	case protocol.CodeUnavailable:
		return fiber.StatusServiceUnavailable
	default:
		return fiber.StatusInternalServerError
	}
}

// describe says what to tell of an error: the status, and the error as programs get it. Of an error that is not
// theirs to know they get that it is ours.
func describe(err error) (int, *protocol.Error) {
	var known *protocol.Error
	if errors.As(err, &known) {
		return status(known.Code), known
	}
	var f *fiber.Error
	if errors.As(err, &f) && f.Code < fiber.StatusInternalServerError {
		code := strings.ReplaceAll(strings.ToLower(http.StatusText(f.Code)), " ", "_")
		return f.Code, &protocol.Error{Code: protocol.Code(code), Message: f.Message}
	}
	return fiber.StatusInternalServerError, protocol.Errorf(protocol.CodeInternal, "the server made a mistake")
}

// answerErrors turns errors and panics of what comes after it into answers, so that the metrics see the status.
func (s *Server) answerErrors(c *fiber.Ctx) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("request panicked", zap.String("path", loggedPath(c)), zap.Any("panic", v), zap.ByteString("stack", debug.Stack()))
			err = s.answer(c, fiber.ErrInternalServerError)
		}
	}()
	if err := c.Next(); err != nil {
		return s.answer(c, err)
	}
	return nil
}

// answer writes an error: a page for people, JSON for programs.
func (s *Server) answer(c *fiber.Ctx, err error) error {
	s.loops.GiveWay()
	code, e := describe(err)
	switch {
	case code == fiber.StatusRequestTimeout: // the library says so of a request that was not whole in time
		s.refused("timeout", hub.LimitRequestTime)
		e.Message = "a request has to be whole within " + s.app.Config().ReadTimeout.String()
	case errors.Is(err, fiber.ErrBadGateway): // what Fiber says of a connection that broke while it sent its request
		s.log.Debug("request not read")
	case code >= fiber.StatusInternalServerError && e.Code == protocol.CodeInternal:
		s.log.Error("request failed", zap.String("method", c.Method()), zap.String("path", loggedPath(c)), zap.Error(err))
	}
	s.setHeaders(c) // again: no route has seen a request that is too large
	c.Status(code)
	if e.RetryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, retryAfter(e.RetryAfter))
	}
	if e.Code == protocol.CodeNeedPassword || e.Code == protocol.CodeBadPassword {
		c.Set(fiber.HeaderWWWAuthenticate, `Basic realm="Govor", charset="UTF-8", Bearer`)
	}
	if !wantsHTML(c) {
		return sendFrame(c, e)
	}
	return s.page(c, "error", views.ErrorPage{Page: s.pageOf(c, ""), Status: code, Requested: loggedPath(c), Problem: e})
}

// sendFrame answers with one object of the JSON format.
func sendFrame(c *fiber.Ctx, f protocol.Frame) error {
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	return c.Send(append(protocol.JSON{}.Append(nil, f), '\n'))
}

// retryAfter is d in whole seconds, at least one (RFC 9110 §10.2.3).
func retryAfter(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}

// wantsHTML tells a browser from a program.
func wantsHTML(c *fiber.Ctx) bool {
	return strings.Contains(c.Get(fiber.HeaderAccept), fiber.MIMETextHTML)
}
