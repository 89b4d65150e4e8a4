using System.Reflection;
using System.Runtime.InteropServices;
using static Spillway.Native.Constants;
using static Spillway.Native.NativeMethods;

namespace Spillway.Native;

/// <summary>
/// Finds libspillway and refuses one that does not fit, once per process and before its first use.
/// Where: <c>SPW_LIBRARY_PATH</c> (the file, or the folder it is in) if that is set and not empty;
/// else where .NET looks for native libraries (the package's <c>runtimes</c> folder, the
/// application's folder, the system), as <c>libspillway.so</c> and then <c>libspillway.so.0</c>.
/// </summary>
internal static class LibraryLoader
{
    internal const string PathVariable = "SPW_LIBRARY_PATH";

    private static readonly object Gate = new();
    private static volatile bool _ready;
    private static bool _resolving;

    /// <summary>Every way into the library that needs no handle calls this first.</summary>
    /// <exception cref="DllNotFoundException">There is no libspillway, or it does not fit; the
    /// message says what to do.</exception>
    internal static void Ensure()
    {
        if (!_ready)
        {
            Load();
        }
    }

    private static void Load()
    {
        lock (Gate)
        {
            if (_ready)
            {
                return;
            }
            SetResolver();
            CheckVersion(spw_abi_version());
            CheckLayouts();
            _ready = true;
        }
    }

    private static void SetResolver()
    {
        if (_resolving)
        {
            return;
        }
        try
        {
            NativeLibrary.SetDllImportResolver(typeof(LibraryLoader).Assembly, Resolve);
        }
        catch (InvalidOperationException)
        {
            // The application has set its own for this assembly, and knows better.
        }
        _resolving = true;
    }

    // With NativeAOT and DirectPInvoke nobody calls this: the library is linked in.
    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? search)
    {
        if (name != Library)
        {
            return 0;
        }
        string? path = Environment.GetEnvironmentVariable(PathVariable);
        if (!string.IsNullOrEmpty(path))
        {
            return LoadFrom(path);
        }
        foreach (string each in (string[])["libspillway.so", "libspillway.so.0"])
        {
            if (NativeLibrary.TryLoad(each, assembly, search, out nint library))
            {
                return library;
            }
        }
        throw new DllNotFoundException(
            "libspillway.so was not found. Add the package Spillway.Native.linux-x64, or install "
            + $"Spillway for the whole system, or set {PathVariable} to the file. Only Linux on "
            + $"x86-64 is supported; this process is {RuntimeInformation.RuntimeIdentifier}.");
    }

    private static nint LoadFrom(string path)
    {
        string file = Directory.Exists(path) ? Path.Combine(path, "libspillway.so") : path;
        try
        {
            return NativeLibrary.Load(file);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            // Trying other places now would hide the mistake behind another version.
            throw new DllNotFoundException(
                $"{PathVariable} is set to \"{path}\", but libspillway.so cannot be loaded from "
                + $"there: {e.Message}", e);
        }
    }

    private static void CheckVersion(uint found)
    {
        uint major = found >> 16;
        uint minor = found & 0xffff;
        if (major != SPW_VERSION_MAJOR || minor < SPW_VERSION_MINOR)
        {
            throw new DllNotFoundException(
                $"libspillway {major}.{minor} was loaded, but this version of the package Spillway "
                + $"needs {SPW_VERSION_MAJOR}.{SPW_VERSION_MINOR} or later of the same major "
                + "version. Use packages Spillway and Spillway.Native.* of one version, and look "
                + $"for an old file in the application's folder, the system, or {PathVariable}.");
        }
    }

    private static unsafe void CheckLayouts()
    {
        CheckLayout(SPW_STRUCT_SCAN, nameof(spw_scan), sizeof(spw_scan));
        CheckLayout(SPW_STRUCT_VIEW, nameof(spw_view), sizeof(spw_view));
        CheckLayout(SPW_STRUCT_STATS, nameof(spw_stats), sizeof(spw_stats));
        CheckLayout(SPW_STRUCT_STREAM_STATS, nameof(spw_stream_stats), sizeof(spw_stream_stats));
        CheckLayout(SPW_STRUCT_EVENT, nameof(spw_event), sizeof(spw_event));
        CheckLayout(SPW_STRUCT_SLICE, nameof(spw_slice), sizeof(spw_slice));
        CheckLayout(SPW_STRUCT_BLOCK_INFO, nameof(spw_block_info), sizeof(spw_block_info));
        CheckLayout(SPW_STRUCT_BLOCK_VIEW, nameof(spw_block_view), sizeof(spw_block_view));
        CheckLayout(SPW_STRUCT_BLOCK_STATS, nameof(spw_block_stats), sizeof(spw_block_stats));
        CheckLayout(
            SPW_STRUCT_VERIFY_SUMMARY, nameof(spw_verify_summary), sizeof(spw_verify_summary));
        CheckLayout(SPW_STRUCT_PROBLEM, nameof(spw_problem), sizeof(spw_problem));
        CheckLayout(SPW_STRUCT_VACUUM_RESULT, nameof(spw_vacuum_result), sizeof(spw_vacuum_result));
        CheckLayout(SPW_STRUCT_TRANSFER, nameof(spw_transfer), sizeof(spw_transfer));
        CheckLayout(
            SPW_STRUCT_RECORD_SUMMARY, nameof(spw_record_summary), sizeof(spw_record_summary));
        CheckLayout(SPW_STRUCT_RECORD_RANGE, nameof(spw_record_range), sizeof(spw_record_range));
    }

    private static void CheckLayout(int id, string name, int size)
    {
        nuint found = spw_sizeof(id);
        // A later minor version may append fields; with the same one every difference is a mistake.
        bool later = (spw_abi_version() & 0xffff) > SPW_VERSION_MINOR;
        if (later ? found < (nuint)size : found != (nuint)size)
        {
            throw new DllNotFoundException(
                $"The libspillway that was loaded has {found} bytes in {name}, where this package "
                + $"needs {size}: it was built for another platform, or from other sources.");
        }
    }
}
