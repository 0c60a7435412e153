/* Hostile cases of the C ABI. Names carry the rows of the hostile list.
 *
 *     abi <guests>            every test
 *     abi <guests> <part>     pointers, handles, calls, trees, watching, waiting, times, policy, audit, process or data
 */
#include <stdio.h>
#include <string.h>

#include "check.h"

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*tests)(void);
  } parts[] = {{"pointers", abi_pointers}, {"handles", abi_handles}, {"calls", abi_calls},
               {"trees", abi_trees},       {"watching", abi_watching}, {"waiting", abi_waiting},
               {"times", abi_times},       {"policy", abi_policy},     {"audit", abi_audit},
               {"process", abi_process},   {"data", abi_data}};
  if (argc < 2) return fputs("usage: abi <guests> [<part>]\n", stderr), 2;
  program = argv[0], guests = argv[1];
  if (argc == 4 && strcmp(argv[2], "child") == 0) return abi_child(argv[3]);
  for (size_t n = 0; n < sizeof parts / sizeof *parts; n++) {
    if (argc == 2 || strcmp(argv[2], parts[n].name) == 0) parts[n].tests();
  }
  return tally();
}
