//go:build mutant_nosync

package mutant

// Active is the mutant that this build is.
const Active = NoSync
