// Command client is the console client: go run client/client.go NAME.
package main

import (
	"context"
	"os"

	"govor/client/terminal"
)

func main() {
	os.Exit(terminal.Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}
