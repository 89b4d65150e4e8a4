//go:build race

package spillway

// Under the race detector sync.Pool drops things at random, and everything takes longer.
const underRace = true
