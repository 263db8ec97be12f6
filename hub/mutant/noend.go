//go:build mutant_noend

package mutant

// Active is the mutant that this build is.
const Active = NoEnd
