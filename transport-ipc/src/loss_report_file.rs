//! The loss report on disk. `[any]`
//!
//! Mirrors `aeron_driver_create_loss_report_file`; cnc.md §6.

use gannet_core::loss_report::LossReport;

use crate::directory::AeronDirectory;
use crate::error::FileError;
use crate::mapped_file::MappedFile;
use crate::read_only_region::ReadOnlyRegion;
use crate::region::Region;
use crate::sharing::Sharing;
use crate::storage::Space;

/// Makes and opens loss reports.
pub struct LossReportFile;

impl LossReportFile {
    /// Creates the report, its space reserved whole; `length` is filled up to pages of `page_size` bytes.
    ///
    /// # Errors
    /// When the file exists, there is no space, or the system refuses.
    ///
    /// # Panics
    /// When `page_size` is 0.
    pub fn create(
        directory: &AeronDirectory,
        length: u64,
        page_size: u64,
        sharing: Sharing,
    ) -> Result<LossReport<Region>, FileError> {
        let length = length.next_multiple_of(page_size);
        MappedFile::create(&directory.loss_report_file(), length, Space::Reserved, sharing).map(LossReport::new)
    }

    /// Maps a driver's report for reading with [`losses`](gannet_core::loss_report::losses).
    ///
    /// # Errors
    /// When there is none, or the system refuses.
    pub fn open_read_only(directory: &AeronDirectory) -> Result<ReadOnlyRegion, FileError> {
        MappedFile::open_read_only(&directory.loss_report_file())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use gannet_core::loss_report::losses;
    use gannet_core::{SessionId, StreamId};

    use super::*;

    #[test]
    fn a_tool_reads_what_the_driver_reports() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = AeronDirectory::at(temporary.path());
        let mut report = LossReportFile::create(&directory, 5000, 4096, Sharing::Owner).unwrap();
        assert_eq!(fs::metadata(directory.loss_report_file()).unwrap().len(), 8192);
        report.create(100, 7, SessionId(1), StreamId(2), b"aeron:udp", b"127.0.0.1:1").unwrap();
        let view = LossReportFile::open_read_only(&directory).unwrap();
        let bytes: Vec<i64> = losses(&view).map(|loss| loss.total_bytes_lost()).collect();
        assert_eq!(bytes, [100]);
    }
}
