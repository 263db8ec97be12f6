//go:build mutant_keeptext

package mutant

// Active is the mutant that this build is.
const Active = KeepText
