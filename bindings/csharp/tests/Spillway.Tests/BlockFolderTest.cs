using System.Text;
using Xunit;

namespace Spillway.Tests;

public class BlockFolderTest
{
    [Fact]
    public async Task BlockImportExportRoundTrip()
    {
        using Folder folder = new();
        string source = Path.Combine(folder.Path, "source");
        Dictionary<string, byte[]> files = new()
        {
            ["empty"] = [],
            ["text.txt"] = Encoding.UTF8.GetBytes("hello"),
            ["sub/deep/er"] = Make.Record(1, 300_000),
            ["sub/søknad"] = Make.Record(2, 10),
        };
        foreach ((string name, byte[] data) in files)
        {
            string path = Path.Combine(source, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, data);
        }
        File.CreateSymbolicLink(Path.Combine(source, "link"), "/etc/passwd");

        using BlockFile file = Make.Blocks(folder);
        file.Put("stays", "here"u8);
        TransferResult result = file.Import(source, "in/");
        Assert.Equal((4ul, 300_015ul), (result.Blocks, result.Bytes));
        Assert.Equal((0ul, 1ul), (result.Equal, result.Ignored));
        foreach ((string name, byte[] data) in files)
        {
            Assert.Equal(data, file.ReadAll("in/" + name));
        }
        Assert.Equal(5, file.ListNames().Count());
        File.WriteAllText(Path.Combine(source, "text.txt"), "changed");
        result = await file.ImportAsync(source, "in/");
        Assert.Equal((1ul, 3ul), (result.Blocks, result.Equal));
        files["text.txt"] = Encoding.UTF8.GetBytes("changed");

        string target = Path.Combine(folder.Path, "target");
        result = file.Export(target, "in/");
        Assert.Equal((4ul, 300_017ul), (result.Blocks, result.Bytes));
        foreach ((string name, byte[] data) in files)
        {
            Assert.Equal(data, File.ReadAllBytes(Path.Combine(target, name)));
        }
        File.Delete(Path.Combine(target, "empty"));
        result = await file.ExportAsync(target, "in/");
        Assert.Equal((1ul, 3ul), (result.Blocks, result.Equal));

        // Names that cannot be paths come back as they were.
        string[] odd = ["..", "/", "a//b", "a/", ".", "%41", "x/../y"];
        using BlockTransaction save = file.BeginTransaction();
        foreach (string name in odd)
        {
            save.Put("odd/" + name, Encoding.UTF8.GetBytes(name));
        }
        string escaped = Path.Combine(folder.Path, "escaped");
        save.Export(escaped, "odd/");
        file.Import(escaped, "back/");
        foreach (string name in odd)
        {
            Assert.Equal(Encoding.UTF8.GetBytes(name), file.ReadAll("back/" + name));
        }
        Assert.Equal(odd.Length, file.ListNames("back/").Count());

        string nowhere = Path.Combine(folder.Path, "none");
        Fails.With(SpillwayStatus.NotFound, () => file.Import(nowhere));
        Assert.Throws<ArgumentException>(() => file.Import(""));
        Assert.Throws<ArgumentException>(() => file.Export("a\0b"));
        using Operation operation = new();
        operation.Cancel();
        Assert.Throws<OperationCanceledException>(
            () => file.Import(source, operation: operation));
        Assert.Throws<OperationCanceledException>(
            () => file.Export(target, operation: operation));
        file.Close();
        Fails.AsDisposed(() => file.Import(source));
        Fails.AsDisposed(() => file.Export(target));
    }
}
