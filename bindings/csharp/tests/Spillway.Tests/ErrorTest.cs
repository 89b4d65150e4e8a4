using System.Text;
using Xunit;

namespace Spillway.Tests;

public class ErrorTest
{
    [Fact]
    public void ErrorsCarryCodeAndPlace()
    {
        using Folder folder = new();
        string nowhere = Path.Combine(folder.Path, "no", "such", "folder");
        SpillwayException open = Fails(() => Store.Open(nowhere, Make.OnDisk()));
        Assert.Equal((SpillwayStatus.NotFound, 2), (open.Status, open.OsCode)); // ENOENT
        Assert.Contains(nowhere, open.Message, StringComparison.Ordinal);
        Assert.Contains("SPW_NOT_FOUND", open.Message, StringComparison.Ordinal);
        Assert.Equal(-1, open.RecordIndex);

        using Store store = Make.OnDisk(folder);
        RecordStream log = store.OpenStream("log");
        log.Add("abc"u8, [0, 1, 2, 3]);
        SpillwayException gather = Fails(() => log.Gather([0, 2, 99, 1]));
        Assert.Equal((SpillwayStatus.NotFound, 2L), (gather.Status, gather.RecordIndex));
        Assert.Equal(SpillwayStatus.NotFound, Fails(() => log.Read(3)).Status);
        log.Clear();
        Assert.Equal(SpillwayStatus.Trimmed, Fails(() => log.Read(2)).Status);

        Status(SpillwayStatus.Busy, () => Store.Open(folder.Store));
        Status(SpillwayStatus.NotFound, () => store.OpenStream("x", mode: StreamMode.Existing));
        Status(SpillwayStatus.AlreadyExists, () => store.OpenStream("log", mode: StreamMode.New));
        StreamOptions timed = new() { Times = true };
        Status(SpillwayStatus.InvalidArgument, () => store.OpenStream("log", timed));
        Status(SpillwayStatus.InvalidArgument, () => store.OpenStream(""));
        Status(SpillwayStatus.TooBig, () => store.OpenStream(new string('x', 1025)));
        Status(SpillwayStatus.NotFound, () => Store.Open(folder.Store + "x", Existing()));
        Status(SpillwayStatus.InvalidArgument, () => log.OpenCursor(2, 1));
    }

    [Fact]
    public void UnknownAndMisplacedOptions()
    {
        using Folder folder = new();
        StoreOptions options = Make.OnDisk();
        options[(OptionKey)4711] = 1;
        Status(SpillwayStatus.Unsupported, () => Store.Open(folder.Store, options));
        options[(OptionKey)4711] = null;
        options.BudgetBytes = 1;
        Status(SpillwayStatus.InvalidArgument, () => Store.Open(folder.Store, options));
        options.BudgetBytes = Make.SmallBudget;
        options[OptionKey.Times] = 1;
        Status(SpillwayStatus.Unsupported, () => Store.Open(folder.Store, options));
        options[OptionKey.Times] = null;
        using Store store = Store.Open(folder.Store, options);
        Status(SpillwayStatus.Unsupported, () => store.GetOption((OptionKey)4711));
        Status(SpillwayStatus.Unsupported, () => store.SetOption((OptionKey)4711, 1));
        Status(SpillwayStatus.Unsupported, () => store.SetOption(OptionKey.HardPercent, 200));
        Status(SpillwayStatus.InvalidArgument, () => store.BudgetBytes = 1);
        using Store memory = Store.OpenInMemory();
        Status(SpillwayStatus.Unsupported, () => memory.Flush());
    }

    [Fact]
    public void TextThatIsNotUnicode()
    {
        using Folder folder = new();
        string unpaired = "a\ud800b";
        Assert.Throws<ArgumentException>(
            () => Store.Open(Path.Combine(folder.Path, unpaired), Make.OnDisk()));
        Assert.Throws<ArgumentException>(() => Store.Open("a\0b", Make.OnDisk()));
        Assert.Throws<ArgumentException>(() => Store.Open("", Make.OnDisk()));
        Assert.Throws<ArgumentException>(() => Store.Open("a\0b"u8, Make.OnDisk()));
        Assert.Throws<ArgumentNullException>(() => Store.Open((string)null!, Make.OnDisk()));

        byte[] bad = [0x66, 0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80];
        byte[] path = [.. Encoding.UTF8.GetBytes(folder.Path), (byte)'/', .. bad];
        using (Store store = Store.Open(path, Make.OnDisk()))
        {
            Assert.Throws<ArgumentException>(() => store.OpenStream(unpaired));
            Assert.Throws<ArgumentNullException>(() => store.OpenStream((string)null!));
            RecordStream odd = store.OpenStream(bad);
            odd.AddRecord(bad);
            store.OpenStream("søknad 🌊").AddRecord("søknad 🌊"u8);
        }
        using (Store store = Store.Open(path, Existing()))
        {
            IReadOnlyList<RecordStream> streams = store.GetStreams();
            Assert.Equal(bad, streams[0].NameBytes.ToArray());
            Assert.Contains('\ufffd', streams[0].Name);
            Assert.Equal("søknad 🌊", streams[1].Name);
            Assert.Equal(bad, streams[0].Read(0));
            Assert.Equal(bad, store.OpenStream(bad, mode: StreamMode.Existing).Read(0));
            Assert.Equal("søknad 🌊"u8.ToArray(), streams[1].Read(0));
        }
    }

    private static StoreOptions Existing() => new() { Open = OpenMode.Existing };

    private static SpillwayException Fails(Action call) => Assert.Throws<SpillwayException>(call);

    private static void Status(SpillwayStatus status, Action call) =>
        Assert.Equal(status, Fails(call).Status);
}
