#include <spillway.h>
#include <stdio.h>
#define TRY(call) \
  if ((call) != SPW_OK) return fprintf(stderr, "%s\n", spw_error_message(err, NULL)), 1

int main(void) {
  spw_error* err;
  spw_file* file;
  spw_txn* save;
  uint64_t len;
  char text[16];
  TRY(spw_file_open("first.blocks", 12, NULL, NULL, &file, &err));
  TRY(spw_txn_begin(file, 0, &save, &err));
  TRY(spw_block_put(file, save, "chapter/1", 9, "Hello", 5, SPW_BLOCK_VERSION_ANY, NULL, &err));
  TRY(spw_block_put(file, save, "chapter/2", 9, "world", 5, SPW_BLOCK_VERSION_ANY, NULL, &err));
  TRY(spw_txn_commit(save, SPW_FLUSH_DEVICE, &err)); /* both or none, and safe from here on */
  spw_txn_free(save);
  TRY(spw_block_read(file, NULL, "chapter/2", 9, 0, text, sizeof text, &len, &err));
  printf("%.*s\n", (int)len, text);
  TRY(spw_file_close(file, 0, &err));
  spw_file_free(file);
}
