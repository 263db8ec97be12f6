//go:build mutant_goon

package mutant

// Active is the mutant that this build is.
const Active = GoOn
