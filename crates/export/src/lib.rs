//! Layers and surfaces to files people open.
