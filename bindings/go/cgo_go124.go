//go:build go1.24

package spillway

// From Go 1.24 on the compiler can be told that these calls keep no pointer and call nothing back,
// so that what they are given may stay on the stack. An error in Go 1.23, hence this file. Only
// what is called per batch, per record or per block: the others cost more than an allocation anyway.

// #cgo noescape spw_store_add
// #cgo nocallback spw_store_add
// #cgo noescape spw_store_read
// #cgo nocallback spw_store_read
// #cgo noescape spw_cursor_next
// #cgo nocallback spw_cursor_next
// #cgo noescape spw_store_stats
// #cgo nocallback spw_store_stats
// #cgo noescape spw_block_put
// #cgo nocallback spw_block_put
// #cgo noescape spw_block_put_batch
// #cgo nocallback spw_block_put_batch
// #cgo noescape spw_block_append
// #cgo nocallback spw_block_append
// #cgo noescape spw_block_patch
// #cgo nocallback spw_block_patch
// #cgo noescape spw_block_exists
// #cgo nocallback spw_block_exists
// #cgo noescape spw_block_read
// #cgo nocallback spw_block_read
// #cgo noescape spw_block_read_batch
// #cgo nocallback spw_block_read_batch
// #cgo noescape spw_block_get
// #cgo nocallback spw_block_get
// #cgo noescape spw_blob_view
// #cgo nocallback spw_blob_view
// #cgo noescape spw_list_next
// #cgo nocallback spw_list_next
// #cgo noescape spw_reader_read
// #cgo nocallback spw_reader_read
// #cgo noescape spw_reader_read_at
// #cgo nocallback spw_reader_read_at
// #cgo noescape spw_writer_write
// #cgo nocallback spw_writer_write
import "C"
