/* Texts of statuses. */
#include "cnf.h"

CNF_API const char *cnf_status_message(int32_t status) {
  switch (status) {
#define CNF_X(name, value, message) \
  case value: return message;
    CNF_STATUS_LIST(CNF_X)
#undef CNF_X
  }
  return "unknown status";
}

CNF_API const char *cnf_sample_status_message(int32_t status) {
  switch (status) {
#define CNF_X(name, value, message) \
  case value: return message;
    CNF_SAMPLE_STATUS_LIST(CNF_X)
#undef CNF_X
  }
  return "unknown sample status";
}
