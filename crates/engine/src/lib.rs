//! A saved analysis to layers and a manifest.
