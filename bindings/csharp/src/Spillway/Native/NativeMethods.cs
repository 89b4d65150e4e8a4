using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]

namespace Spillway.Native;

/// <summary>
/// The whole C header, flat: names, parameters and their order as there, handles as <c>nint</c>.
/// All arguments are blittable, so a call costs a transition and nothing else. What they promise is
/// written in <c>spillway.h</c> and
/// <c>spillway_file.h</c>; the public types add lifetimes, cancellation and exceptions.
/// <c>spw_store_addv</c> and <c>spw_options_set_bytes</c> have no public counterpart: the first
/// would pin each record, for the second no option exists yet.
/// </summary>
internal static partial class NativeMethods
{
    /// <summary>The name that <see cref="LibraryLoader"/> resolves.</summary>
    internal const string Library = "spillway";

    [LibraryImport(Library)]
    internal static unsafe partial byte* spw_status_name(int status);

    [LibraryImport(Library)]
    internal static unsafe partial uint spw_abi_version();

    [LibraryImport(Library)]
    internal static unsafe partial byte* spw_version();

    [LibraryImport(Library)]
    internal static unsafe partial nuint spw_sizeof(int struct_id);

    [LibraryImport(Library)]
    internal static unsafe partial ulong spw_leaked_stores();

    [LibraryImport(Library)]
    internal static unsafe partial int spw_error_code(nint error);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_error_os_code(nint error);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_error_detail_code(nint error);

    [LibraryImport(Library)]
    internal static unsafe partial long spw_error_record(nint error);

    [LibraryImport(Library)]
    internal static unsafe partial byte* spw_error_message(nint error, nuint* len);

    [LibraryImport(Library)]
    internal static unsafe partial void spw_error_free(nint error);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_options_new(nint* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_options_set_i64(
        nint options, int key, long value, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_options_set_bytes(
        nint options, int key, void* value, nuint len, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_options_get_i64(
        nint options, int key, long* value, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial void spw_options_free(nint options);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_op_new(nint* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial void spw_op_cancel(nint op);

    [LibraryImport(Library)]
    internal static unsafe partial void spw_op_progress(nint op, ulong* done, ulong* total);

    [LibraryImport(Library)]
    internal static unsafe partial void spw_op_free(nint op);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_open(
        byte* path, nuint path_len, nint options, nint op, nint* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_close(
        nint store, uint flags, long timeout_ms, nint op, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial void spw_store_free(nint store);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_stream(
        nint store, byte* name, nuint name_len, nint options, uint flags, uint* stream, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_streams(
        nint store, uint* streams, nuint cap, nuint* count, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_stream_name(
        nint store, uint stream, byte* name, nuint cap, nuint* len, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_add(
        nint store, uint stream, void* data, ulong data_len, ulong* offsets, nuint count,
        long* times, long timeout_ms, nint op, ulong* first_seq, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_addv(
        nint store, uint stream, spw_slice* records, nuint count, long* times, long timeout_ms,
        nint op, ulong* first_seq, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_read(
        nint store, uint stream, ulong seq, void* buffer, ulong cap, ulong* len, long* time,
        nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_gather(
        nint store, uint stream, ulong* seqs, nuint count, nint* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_flush(
        nint store, int level, long timeout_ms, nint op, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_file(nint store, nint* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_commit(
        nint store, nint txn, int level, long timeout_ms, nint op, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_settle(
        nint store, long timeout_ms, nint op, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_release_memory(nint store, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_clear(nint store, uint stream, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_trim(
        nint store, uint stream, ulong begin_seq, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_trim_time(
        nint store, uint stream, long time, ulong* begin_seq, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_trim_bytes(
        nint store, uint stream, ulong bytes_most, ulong* begin_seq, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_set_i64(
        nint store, uint stream, int key, long value, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_get_i64(
        nint store, uint stream, int key, long* value, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_stats(nint store, spw_stats* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_stream_stats(
        nint store, uint stream, spw_stream_stats* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_events(
        nint store, spw_event* events, nuint event_size, nuint cap, nuint* count, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_cursor_open(
        nint store, spw_scan* scan, nint filter, nint* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_cursor_range(
        nint cursor, ulong* begin, ulong* end, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_cursor_next(
        nint cursor, ulong max_records, ulong max_bytes, long timeout_ms, nint op, spw_view* @out,
        nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_cursor_seek(nint cursor, ulong seq, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_cursor_detach(nint cursor, nint* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial void spw_cursor_free(nint cursor);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_batch_view(nint batch, spw_view* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial void spw_batch_free(nint batch);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_file_open(
        byte* path, nuint path_len, nint options, nint op, nint* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_file_close(nint file, uint flags, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial void spw_file_free(nint file);

    [LibraryImport(Library)]
    internal static unsafe partial ulong spw_leaked_files();

    [LibraryImport(Library)]
    internal static unsafe partial int spw_file_flush(nint file, int level, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_txn_begin(nint file, uint flags, nint* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_txn_commit(nint txn, int level, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial void spw_txn_free(nint txn);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_block_put(
        nint file, nint txn, byte* name, nuint name_len, void* data, ulong data_len,
        ulong expected, ulong* version, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_block_put_batch(
        nint file, nint txn, byte* names, ulong names_len, ulong* name_offsets, void* data,
        ulong data_len, ulong* data_offsets, nuint count, ulong* expected, ulong* versions,
        nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_block_append(
        nint file, nint txn, byte* name, nuint name_len, void* data, ulong data_len, ulong* length,
        nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_block_patch(
        nint file, nint txn, byte* name, nuint name_len, ulong offset, void* data, ulong data_len,
        nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_block_delete(
        nint file, nint txn, byte* name, nuint name_len, ulong expected, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_block_rename(
        nint file, nint txn, byte* from, nuint from_len, byte* to, nuint to_len, uint flags,
        nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_block_set_tag(
        nint file, nint txn, byte* name, nuint name_len, void* tag, nuint tag_len, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_block_stat(
        nint file, nint txn, byte* name, nuint name_len, spw_block_info* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_block_exists(
        nint file, nint txn, byte* name, nuint name_len, int* exists, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_block_read(
        nint file, nint txn, byte* name, nuint name_len, ulong offset, void* buffer, ulong cap,
        ulong* len, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_block_read_batch(
        nint file, nint txn, byte* names, ulong names_len, ulong* name_offsets, nuint count,
        void* buffer, ulong cap, ulong* offsets, int* statuses, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_block_get(
        nint file, nint txn, byte* name, nuint name_len, ulong offset, ulong length, nint* @out,
        nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_blob_view(nint blob, byte** data, ulong* len, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial void spw_blob_free(nint blob);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_list_open(
        nint file, nint txn, byte* prefix, nuint prefix_len, uint flags, nint* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_list_next(
        nint list, ulong max_blocks, spw_block_view* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_list_seek(
        nint list, byte* name, nuint name_len, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial void spw_list_free(nint list);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_reader_open(
        nint file, nint txn, byte* name, nuint name_len, nint* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_reader_stat(
        nint reader, spw_block_info* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_reader_read(
        nint reader, void* buffer, ulong cap, ulong* len, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_reader_read_at(
        nint reader, ulong offset, void* buffer, ulong cap, ulong* len, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_reader_seek(nint reader, ulong offset, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial void spw_reader_free(nint reader);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_writer_open(
        nint file, nint txn, byte* name, nuint name_len, ulong expected, nint* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_writer_write(
        nint writer, void* data, ulong data_len, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_writer_commit(nint writer, ulong* version, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial void spw_writer_free(nint writer);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_file_vacuum(
        nint file, uint flags, ulong max_bytes, nint op, spw_vacuum_result* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_file_copy(
        nint file, nint txn, byte* path, nuint path_len, nint op, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_file_import(
        nint file, byte* folder, nuint folder_len, byte* prefix, nuint prefix_len, nint op,
        spw_transfer* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_file_export(
        nint file, nint txn, byte* prefix, nuint prefix_len, byte* folder, nuint folder_len,
        nint op, spw_transfer* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_file_verify(
        nint file, uint flags, ulong bytes_per_second, nint op, nint* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_report_summary(
        nint report, spw_verify_summary* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_report_problem(
        nint report, ulong index, spw_problem* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial void spw_report_free(nint report);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_store_verify(
        nint store, uint stream, uint flags, ulong bytes_per_second, nint op, nint* @out,
        nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_report_records(
        nint report, spw_record_summary* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_report_range(
        nint report, ulong index, spw_record_range* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_file_scrub(nint file, ulong bytes_per_second, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_file_scrub_report(nint file, nint* @out, nint* err);

    [LibraryImport(Library)]
    internal static unsafe partial int spw_file_stats(nint file, spw_block_stats* @out, nint* err);
}
