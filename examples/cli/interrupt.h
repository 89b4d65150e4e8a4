// Ctrl-C as a state that everything can look at and wait for: the first asks for an orderly end, a
// second one kills as it always does. A SIGINT that was ignored when the program began stays so.
#ifndef SPILLWAY_CLI_INTERRUPT_H
#define SPILLWAY_CLI_INTERRUPT_H

namespace spillway::cli::interrupt {

// Before any thread is started, once. Also makes a closed pipe an error and not a signal.
void Install();

bool Requested();

// Can be polled: readable from the first Ctrl-C on, for ever.
int Descriptor();

// Waits until `descriptor` can be read without blocking; throws Failure at a Ctrl-C.
void WaitReadable(int descriptor);

}  // namespace spillway::cli::interrupt

#endif  // SPILLWAY_CLI_INTERRUPT_H
