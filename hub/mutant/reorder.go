//go:build mutant_reorder

package mutant

// Active is the mutant that this build is.
const Active = Reorder
