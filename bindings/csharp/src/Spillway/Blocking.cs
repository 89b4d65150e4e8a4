namespace Spillway;

/// <summary>Runs a call that may wait for long on a thread of its own, so that it never starves the
/// thread pool.</summary>
internal static class Blocking
{
    internal static Task<T> Run<T>(Func<T> call, CancellationToken token) =>
        Task.Factory.StartNew(
            call, token, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach,
            TaskScheduler.Default);

    internal static Task Run(Action call, CancellationToken token) =>
        Task.Factory.StartNew(
            call, token, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach,
            TaskScheduler.Default);
}
