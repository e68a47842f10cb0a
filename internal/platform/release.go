package platform

// Release is the version of this source.
const Release = "0.1.0"
