//go:build unix

package model

import "syscall"

// ended tells whether an idle connection is of no more use: the server has
// closed it, or sent what nobody asked for.
func (c *connection) ended() bool {
	raw, err := c.tcp.(syscall.Conn).SyscallConn()
	if err != nil {
		return true
	}
	ended := true
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK)
		ended = err != syscall.EAGAIN
		return true
	})
	return ended || err != nil
}
