//go:build mutant_noindex

package mutant

// Active is the mutant that this build is.
const Active = NoIndex
