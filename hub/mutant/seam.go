//go:build mutant_seam

package mutant

// Active is the mutant that this build is.
const Active = Seam
