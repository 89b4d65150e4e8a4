using System.Runtime.InteropServices;
using Spillway.Native;

namespace Spillway;

/// <summary>
/// The native library that this process has loaded. Any thread. Every member, as everything else
/// that is used first, throws <see cref="DllNotFoundException"/> if there is none that fits.
/// </summary>
public static unsafe class SpillwayLibrary
{
    /// <summary>Its version, such as "0.1.0".</summary>
    public static string Version
    {
        get
        {
            LibraryLoader.Ensure();
            return Marshal.PtrToStringUTF8((nint)NativeMethods.spw_version())!;
        }
    }

    /// <summary>Its interface as major &lt;&lt; 16 | minor.</summary>
    public static uint AbiVersion
    {
        get
        {
            LibraryLoader.Ensure();
            return NativeMethods.spw_abi_version();
        }
    }

    /// <summary>Stores given up without a successful close since the library was loaded: a number
    /// to watch in tests. Finalizers raise it too, when they have run.</summary>
    public static ulong LeakedStores
    {
        get
        {
            LibraryLoader.Ensure();
            return NativeMethods.spw_leaked_stores();
        }
    }

    /// <summary>The same for block files.</summary>
    public static ulong LeakedFiles
    {
        get
        {
            LibraryLoader.Ensure();
            return NativeMethods.spw_leaked_files();
        }
    }

    /// <summary>The C name of a status, such as "SPW_BUSY"; "SPW_UNKNOWN" for one that the library
    /// does not know.</summary>
    public static string StatusName(SpillwayStatus status)
    {
        LibraryLoader.Ensure();
        return NativeError.StatusName((int)status);
    }
}
