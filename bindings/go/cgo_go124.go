//go:build go1.24

package spillway

// From Go 1.24 on the compiler can be told that these calls keep no pointer and call nothing back,
// so that what they are given may stay on the stack. An error in Go 1.23, hence this file. Only
// what is called per batch or per record: the others cost more than an allocation anyway.

// #cgo noescape spw_store_add
// #cgo nocallback spw_store_add
// #cgo noescape spw_store_read
// #cgo nocallback spw_store_read
// #cgo noescape spw_cursor_next
// #cgo nocallback spw_cursor_next
// #cgo noescape spw_store_stats
// #cgo nocallback spw_store_stats
import "C"
