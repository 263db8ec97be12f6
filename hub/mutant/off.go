//go:build !mutant_noindex && !mutant_nosync && !mutant_earlyack && !mutant_reorder && !mutant_seam && !mutant_onepage && !mutant_noend && !mutant_keeptext && !mutant_stale && !mutant_goon

package mutant

// Active is the mutant that this build is.
const Active = ""
