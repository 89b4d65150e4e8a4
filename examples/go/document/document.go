// Document keeps a document of a few thousand parts in one file. A save changes some parts and is
// all or nothing, also when the program is killed in the middle of it; opening reads a few pages,
// not the document.
//
//	document new PATH PARTS     a document of so many parts, as of save 0
//	document save PATH COUNT    one save that changes COUNT parts and the manifest
//	document check PATH         proves that all parts are of the saves that the manifest says
//	document delete PATH COUNT  removes the last COUNT parts, as a save
//	document shrink PATH        gives the space of what is gone back to the disk
//
// Each prints one line and ends with 0, or a message and 1 (64: wrong usage). new, save and delete
// print their line when they are durable: who has seen it will find that save, or a later one.
//
// examples/c/document.c is the same program, and says at its top what is in the file: each of the
// two reads what the other wrote.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"strconv"

	"spillway"
)

const usage = "usage: document new PATH PARTS | save PATH COUNT | check PATH | delete PATH COUNT | shrink PATH"

type verb struct {
	do     func(path string, count int) error
	counts bool // has a number behind the path
}

var verbs = map[string]verb{
	"new":    {opened(spillway.OpenNew, create), true},
	"save":   {opened(spillway.OpenExisting, save), true},
	"check":  {opened(spillway.OpenReadOnly, check), false},
	"delete": {opened(spillway.OpenExisting, remove), true},
	"shrink": {shrink, false},
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("document: ")
	args := os.Args[1:]
	if len(args) < 2 {
		wrongUsage()
	}
	verb, known := verbs[args[0]]
	count := 0
	switch {
	case verb.counts && len(args) == 3:
		var err error
		if count, err = strconv.Atoi(args[2]); err != nil || count < 1 || count > 999_999 {
			wrongUsage()
		}
	case !known || verb.counts || len(args) != 2:
		wrongUsage()
	}
	if err := verb.do(args[1], count); err != nil {
		log.Fatal(err)
	}
}

func wrongUsage() {
	fmt.Fprintln(os.Stderr, usage)
	os.Exit(64)
}

// opened makes a verb of what is done with a file that is open meanwhile.
func opened(mode spillway.Mode, do func(*spillway.File, int) error) func(path string, count int) error {
	return func(path string, count int) error {
		file, err := spillway.OpenFile(context.Background(), path, spillway.OpenMode(mode))
		if err != nil {
			return err
		}
		defer file.Close()
		if err := do(file, count); err != nil {
			return err
		}
		return file.Close()
	}
}

// create makes a document: the save 0, of all parts.
func create(file *spillway.File, parts int) error {
	all := manifest{stamps: make([]uint64, parts)}
	err := file.Update(spillway.FlushDevice, func(tx *spillway.Tx) error {
		return all.putParts(tx, parts)
	})
	if err == nil {
		fmt.Printf("save 0: %d of %d parts written\n", parts, parts)
	}
	return err
}

// save changes count parts. All that is done through tx is there when Update returns nil, on the
// device; after any error, and after a crash, none of it is.
func save(file *spillway.File, count int) error {
	var all manifest
	err := file.Update(spillway.FlushDevice, func(tx *spillway.Tx) (err error) {
		if all, err = readManifest(tx); err != nil {
			return err
		}
		all.save++
		count = min(count, len(all.stamps))
		return all.putParts(tx, count)
	})
	if err == nil {
		fmt.Printf("save %d: %d of %d parts written\n", all.save, count, len(all.stamps))
	}
	return err
}

// remove deletes the last count parts.
func remove(file *spillway.File, count int) error {
	var all manifest
	err := file.Update(spillway.FlushDevice, func(tx *spillway.Tx) (err error) {
		if all, err = readManifest(tx); err != nil {
			return err
		}
		all.save++
		for ; count > 0 && len(all.stamps) > 0; count-- {
			last := len(all.stamps) - 1
			if err := tx.Delete(partName(last)); err != nil {
				return err
			}
			all.stamps = all.stamps[:last]
		}
		_, err = tx.Put("manifest", all.encode())
		return err
	})
	if err == nil {
		fmt.Printf("save %d: %d of %d parts left\n", all.save, len(all.stamps), len(all.stamps))
	}
	return err
}

// check reads the document as it is at one moment, whoever saves it meanwhile.
func check(file *spillway.File, _ int) error {
	return file.View(func(now *spillway.Snapshot) error {
		all, err := readManifest(now)
		if err != nil {
			return err
		}
		size, count := 0, 0
		var want []byte
		for number, stamp := range all.stamps {
			want = appendPart(want[:0], number, stamp)
			if err := checkPart(now, number, want); err != nil {
				return err
			}
			size += len(want)
		}
		for _, err := range now.Names("part/") {
			if err != nil {
				return err
			}
			count++
		}
		if count != len(all.stamps) {
			return damaged("more parts than the manifest knows", len(all.stamps))
		}
		fmt.Printf("save %d: %d parts, %d bytes, all as they were saved\n", all.save, count, size)
		return nil
	})
}

func checkPart(now *spillway.Snapshot, number int, want []byte) error {
	part, err := now.Get(partName(number)) // a view, not copied: valid until its Close
	if err != nil {
		return err
	}
	defer part.Close()
	switch {
	case bytes.Equal(part.Bytes(), want):
		return nil
	case bytes.HasPrefix(part.Bytes(), want[:8]):
		return damaged("a part with other bytes", number)
	}
	return damaged("a part of another save", number)
}

func damaged(what string, part int) error { return fmt.Errorf("%s (part %d)", what, part) }

// shrink says what is gained when the file is closed: until then it has room in reserve.
func shrink(path string, _ int) error {
	before, err := os.Stat(path)
	if err != nil {
		return err
	}
	vacuum := opened(spillway.OpenExisting, func(file *spillway.File, _ int) error {
		_, err := file.Vacuum(context.Background(), spillway.VacuumFull, spillway.NoLimit)
		return err
	})
	if err := vacuum(path, 0); err != nil {
		return err
	}
	after, err := os.Stat(path)
	if err == nil {
		fmt.Printf("the file: %d bytes, now %d\n", before.Size(), after.Size())
	}
	return err
}

// manifest is what the document consists of.
type manifest struct {
	save   uint64   // the last one
	stamps []uint64 // of each part, the save that wrote it
}

// readManifest reads through a transaction or a snapshot.
func readManifest(from interface {
	Read(dst []byte, name string) ([]byte, error)
}) (manifest, error) {
	data, err := from.Read(nil, "manifest")
	if err != nil {
		return manifest{}, err
	}
	numbers := make([]uint64, len(data)/8)
	if _, err := binary.Decode(data, binary.LittleEndian, numbers); err != nil {
		return manifest{}, err
	}
	if len(numbers) < 2 || numbers[1] != uint64(len(numbers)-2) {
		return manifest{}, damaged("a manifest of another length", 0)
	}
	return manifest{save: numbers[0], stamps: numbers[2:]}, nil
}

func (m *manifest) encode() []byte {
	data := binary.LittleEndian.AppendUint64(nil, m.save)
	data = binary.LittleEndian.AppendUint64(data, uint64(len(m.stamps)))
	for _, stamp := range m.stamps {
		data = binary.LittleEndian.AppendUint64(data, stamp)
	}
	return data
}

// putParts puts the count parts that the manifest's save changes, and the manifest, with one call.
func (m *manifest) putParts(tx *spillway.Tx, count int) error {
	var batch spillway.BlockBatch
	var part []byte
	for i := range count {
		number := int((m.save*611 + uint64(i)) % uint64(len(m.stamps)))
		part = appendPart(part[:0], number, m.save)
		batch.Append(partName(number), part)
		m.stamps[number] = m.save
	}
	batch.Append("manifest", m.encode())
	return tx.PutBatch(&batch)
}

func partName(number int) string { return fmt.Sprintf("part/%06d", number) }

// appendPart appends what a part holds as of a save.
func appendPart(to []byte, number int, save uint64) []byte {
	n := uint64(number)
	to = binary.LittleEndian.AppendUint64(to, save)
	to = binary.LittleEndian.AppendUint64(to, n)
	for i := range 1000 + (n*7919+save*104_729)%7001 {
		to = append(to, byte((i*31+n*17+save*101)%251))
	}
	return to
}
