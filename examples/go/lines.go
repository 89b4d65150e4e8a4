package main

import (
	"bufio"
	"bytes"
	"io"
	"iter"
	"os"
)

// lines gives the lines of all files without their line feeds.
func lines(files []string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, each := range files {
			if !linesOf(each, yield) {
				return
			}
		}
	}
}

// linesOf reports whether more lines are wanted. Not bufio.Scanner: lines may be long.
func linesOf(path string, yield func([]byte) bool) bool {
	file, err := os.Open(path)
	check(err)
	defer file.Close()
	for reader := bufio.NewReader(file); ; {
		line, err := reader.ReadBytes('\n')
		if len(line) > 0 && !yield(bytes.TrimSuffix(line, []byte("\n"))) {
			return false
		}
		if err == io.EOF {
			return true
		}
		check(err)
	}
}
