//! Pure functions from incidents to answers.
