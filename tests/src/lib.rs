//! Process, fault and interop suites, and the tidy test.
