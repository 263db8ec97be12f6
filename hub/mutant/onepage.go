//go:build mutant_onepage

package mutant

// Active is the mutant that this build is.
const Active = OnePage
