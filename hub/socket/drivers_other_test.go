//go:build !linux

package socket

func drivers() []driver { return []driver{portable} }
