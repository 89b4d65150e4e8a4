//go:build !race

package spillway

const underRace = false
