//! (loss_report)
