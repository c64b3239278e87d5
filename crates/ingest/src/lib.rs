//! Messy incident files in, incidents and rejects out.
