//go:build !unix

package restart

import (
	"errors"
	"net"
	"os"
)

// askedFor returns nil: nobody can ask for a restart here.
func askedFor() <-chan os.Signal { return nil }

func adopt(int) (net.Listener, *os.File, error) { return nil, nil, errors.ErrUnsupported }

func adoptConns(string) []net.Conn { return nil }

func keepOpen(*os.File) (at int, err error) { return 0, errors.ErrUnsupported }

func replace(string, []string, []string) error { return errors.ErrUnsupported }
