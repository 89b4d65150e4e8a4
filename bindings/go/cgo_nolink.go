//go:build spw_nolink

package spillway

// Nothing: CGO_CFLAGS says where the header is, CGO_LDFLAGS what to link.

import "C"
