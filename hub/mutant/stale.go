//go:build mutant_stale

package mutant

// Active is the mutant that this build is.
const Active = Stale
