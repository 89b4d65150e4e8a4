#define _GNU_SOURCE 1
#include "settings.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "line_reader.h"
#include "text.h"

static const uint64_t kRecordsOfDefaultFiles = 3000000;

static const char kHelp[] =
    "usage: %s [options] file...\n"
    "\n"
    "Puts every line of the files into a store, reads them back, proves that they are the same, "
    "and\n"
    "says how long all of it took. A line is what stands before a line feed; a CR, NUL bytes and\n"
    "bytes that are no text belong to it.\n"
    "\n"
    "  -n, --records N         read the files again and again until there are N records, as many "
    "as\n"
    "                          that takes (default: each file once)\n"
    "  -b, --batch N           records added at a time (default 5000; fewer if they pass 8 MiB)\n"
    "  -m, --budget SIZE       memory for records, such as 64M (default: 32M, or an eighth of the\n"
    "                          files if that is less, so that most records spill; at least 256K)\n"
    "      --budget-records N  records in memory (default: no limit)\n"
    "      --tier NAME         where records spill to: block (default) or sqlite\n"
    "      --durable WHEN      batch (default): SQLite syncs after each batch; end: once at the "
    "end\n"
    "  -g, --grep WORD         count the records that hold WORD (default: include)\n"
    "  -s, --store PATH        make the store there, and keep it\n"
    "  -k, --keep              keep the store, and say where it is (default: in $TMPDIR or "
    "/var/tmp,\n"
    "                          removed at the end)\n"
    "      --copy PATH         write the files as one, put together again from the records\n"
    "      --table PATH        write the table there too, label and value apart by a tab\n"
    "      --default-list PATH if no file is named: read those whose paths stand in PATH, one a\n"
    "                          line, until there are 3,000,000 records or as --records says\n"
    "  -h, --help              this text\n"
    "\n"
    "The budgets and the tier mean nothing to spw_sqlite_ingest, and --durable nothing to "
    "spw_ingest:\n"
    "a store syncs each spill, and the rest at the end.\n"
    "Exit code: 0 all equal; 1 the store failed or differs; 2 a file cannot be read; 64 bad "
    "usage.\n";

enum { kBudgetRecords = 256, kTier, kDurable, kCopy, kTable, kDefaultList };

static const struct option kOptions[] = {
    {"records", required_argument, NULL, 'n'},
    {"batch", required_argument, NULL, 'b'},
    {"budget", required_argument, NULL, 'm'},
    {"budget-records", required_argument, NULL, kBudgetRecords},
    {"tier", required_argument, NULL, kTier},
    {"durable", required_argument, NULL, kDurable},
    {"grep", required_argument, NULL, 'g'},
    {"store", required_argument, NULL, 's'},
    {"keep", no_argument, NULL, 'k'},
    {"copy", required_argument, NULL, kCopy},
    {"table", required_argument, NULL, kTable},
    {"default-list", required_argument, NULL, kDefaultList},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static uint64_t parse_number(const char* option, const char* text, uint64_t max) {
  uint64_t number = 0;
  if (!text_parse_size(text, &number) || number == 0 || number > max) {
    fail(kExitUsage, "%s takes a number from 1 to %llu, not \"%s\"; see --help", option,
         (unsigned long long)max, text);
  }
  return number;
}

/* Takes the paths in the file at list_path, one a line. */
static void read_list(settings* chosen, const char* list_path) {
  FILE* list = fopen(list_path, "r");
  if (list == NULL) {
    fail(kExitInput, "cannot read %s: %s", list_path, strerror(errno));
  }
  size_t text_cap = 0;
  const bool read = getdelim(&chosen->list_text, &text_cap, '\0', list) > 0; /* all of it */
  fclose(list);
  size_t cap = 0;
  char* rest = read ? chosen->list_text : NULL;
  for (char* path; (path = strsep(&rest, "\n")) != NULL;) {
    if (*path == '\0') {
      continue;
    }
    if (chosen->file_count == cap) {
      cap = cap * 2 + 256;
      chosen->files = grow_or_fail(chosen->files, cap * sizeof *chosen->files);
    }
    chosen->files[chosen->file_count++] = path;
  }
}

static void take_option(settings* chosen, int option, const char** list_path) {
  switch (option) {
    case 'n':
      chosen->records = parse_number("--records", optarg, INT64_MAX);
      break;
    case 'b':
      chosen->batch = parse_number("--batch", optarg, 100000000);
      break;
    case 'm':
      chosen->budget_bytes = parse_number("--budget", optarg, INT64_MAX);
      break;
    case kBudgetRecords:
      chosen->budget_records = parse_number("--budget-records", optarg, INT64_MAX);
      break;
    case kTier:
      chosen->tier = optarg;
      if (strcmp(optarg, "sqlite") != 0 && strcmp(optarg, "block") != 0) {
        fail(kExitUsage, "--tier takes sqlite or block, not \"%s\"; see --help", optarg);
      }
      break;
    case kDurable:
      chosen->sync_each_batch = strcmp(optarg, "batch") == 0;
      if (!chosen->sync_each_batch && strcmp(optarg, "end") != 0) {
        fail(kExitUsage, "--durable takes batch or end, not \"%s\"; see --help", optarg);
      }
      break;
    case 'g':
      chosen->word = optarg;
      if (*optarg == '\0') {
        fail(kExitUsage, "--grep takes a word of at least one byte; see --help");
      }
      break;
    case 's':
      chosen->store_path = optarg;
      break;
    case 'k':
      chosen->keep = true;
      break;
    case kCopy:
      chosen->copy_path = optarg;
      break;
    case kTable:
      chosen->table_path = optarg;
      break;
    case kDefaultList:
      *list_path = optarg;
      break;
    default: /* getopt_long has said what is wrong */
      exit(kExitUsage);
  }
}

void settings_parse(settings* chosen, int argc, char** argv) {
  *chosen = (settings){.batch = 5000, .word = "include", .tier = "block", .sync_each_batch = true};
  const char* name = strrchr(argv[0], '/') != NULL ? strrchr(argv[0], '/') + 1 : argv[0];
  fail_name_program(name);
  const char* list_path = NULL;
  for (int option; (option = getopt_long(argc, argv, "n:b:m:g:s:kh", kOptions, NULL)) != -1;) {
    if (option == 'h') {
      printf(kHelp, name);
      exit(0);
    }
    take_option(chosen, option, &list_path);
  }
  uint64_t records = LINES_ONCE;
  if (optind < argc) {
    chosen->file_count = (size_t)(argc - optind);
    chosen->files = grow_or_fail(NULL, chosen->file_count * sizeof *chosen->files);
    memcpy(chosen->files, argv + optind, chosen->file_count * sizeof *chosen->files);
  } else if (list_path != NULL) {
    read_list(chosen, list_path);
    records = kRecordsOfDefaultFiles;
  }
  if (chosen->file_count == 0) {
    fail(kExitUsage, "no file to read; see --help");
  }
  chosen->records = chosen->records != 0 ? chosen->records : records;
}

void settings_free(settings* chosen) {
  free(chosen->files);
  free(chosen->list_text);
  *chosen = (settings){0};
}
