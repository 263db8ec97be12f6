//go:build mutant_earlyack

package mutant

// Active is the mutant that this build is.
const Active = EarlyAck
