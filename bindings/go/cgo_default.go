//go:build !spw_static && !spw_nolink

package spillway

// Header and shared library where pkg-config knows them: after `make install`, or wherever
// PKG_CONFIG_PATH says.

// #cgo pkg-config: spillway
import "C"
