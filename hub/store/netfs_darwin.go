package store

import "golang.org/x/sys/unix"

// networkFileSystem names the network file system that dir is on, or is empty.
func networkFileSystem(dir string) (string, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return "", err
	}
	switch name := unix.ByteSliceToString(st.Fstypename[:]); name {
	case "nfs", "smbfs", "afpfs", "webdav", "ftp", "cifs":
		return name, nil
	}
	return "", nil
}
