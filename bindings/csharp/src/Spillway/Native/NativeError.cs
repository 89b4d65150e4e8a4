using System.Runtime.InteropServices;
using System.Text;
using static Spillway.Native.Constants;
using static Spillway.Native.NativeMethods;

namespace Spillway.Native;

/// <summary>The one place where a status becomes an exception.</summary>
internal static class NativeError
{
    /// <summary>Returns on SPW_OK, else frees <paramref name="error"/> and throws.</summary>
    internal static void Check(int status, nint error, CancellationToken token = default)
    {
        if (status != SPW_OK)
        {
            throw ToException(status, error, SPW_SEQ_NONE, token);
        }
    }

    /// <summary>For the statuses that a Try method answers with false.</summary>
    internal static bool CheckUnless(int expected, int status, nint error, CancellationToken token)
    {
        if (status == expected)
        {
            spw_error_free(error);
            return false;
        }
        Check(status, error, token);
        return true;
    }

    /// <summary>The exception of a failed call; <paramref name="admitted"/>: the first record of an
    /// add that was admitted all the same, or SPW_SEQ_NONE. Frees <paramref name="error"/>.
    /// </summary>
    internal static unsafe Exception ToException(
        int status, nint error, ulong admitted, CancellationToken token)
    {
        try
        {
            nuint length = 0;
            byte* text = spw_error_message(error, &length);
            string what = Encoding.UTF8.GetString(new ReadOnlySpan<byte>(text, (int)length));
            string message = $"{what} ({StatusName(status)})";
            return status switch
            {
                // Without the caller's token it was an Operation that was cancelled.
                SPW_CANCELLED => token.IsCancellationRequested
                    ? new OperationCanceledException(message, token)
                    : new OperationCanceledException(message),
                SPW_CLOSED when admitted == SPW_SEQ_NONE =>
                    new ObjectDisposedException(null, message),
                _ => new SpillwayException(
                    message, (SpillwayStatus)status, spw_error_os_code(error),
                    spw_error_detail_code(error), spw_error_record(error))
                {
                    AdmittedSequence = admitted == SPW_SEQ_NONE ? null : admitted,
                },
            };
        }
        finally
        {
            spw_error_free(error);
        }
    }

    internal static unsafe string StatusName(int status) =>
        Marshal.PtrToStringUTF8((nint)spw_status_name(status))!;
}
