package main

import (
	"fmt"
	"os"
	"strconv"
)

// eachThread does something to every thread of this process. Those that begin later are like the one they are begun by.
func eachThread(do func(tid int) error) error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("list the threads: %w", err)
	}
	for _, t := range threads {
		tid, err := strconv.Atoi(t.Name())
		if err != nil {
			return fmt.Errorf("list the threads: %w", err)
		}
		if err := do(tid); err != nil {
			return err
		}
	}
	return nil
}
