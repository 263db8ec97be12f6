//go:build !linux

package synfilter

import (
	"errors"
	"net/netip"
	"syscall"
)

func attach(syscall.RawConn, []netip.Addr) error { return errors.ErrUnsupported }

func detach(syscall.RawConn) error { return errors.ErrUnsupported }
