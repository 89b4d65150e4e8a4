//go:build spw_static && !spw_nolink

package spillway

// The static archive, found where pkg-config knows the library. It stands first and resolves
// everything, so that --as-needed drops the -lspillway that follows from pkg-config. Not
// `pkg-config --static`: cgo refuses the --eh-frame-hdr in it, which only fully static programs
// need (see README.md). Not a copy beside this file: `go mod vendor` would leave it behind.

// #cgo LDFLAGS: -l:libspillway.a -lpthread -ldl -lm -Wl,--as-needed
// #cgo pkg-config: spillway
import "C"
