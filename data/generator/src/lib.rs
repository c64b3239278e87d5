//! Makes the sample city.
