# SPDX-License-Identifier: Apache-2.0
#
# Runs nvcc: SOURCE -> FATBIN with the flags FLAGS, what ptxas says -> LOG. Fails where a kernel
# spills, or keeps an array in local memory since it is indexed by what is not known when compiled.

# Two of the chips at a time: one takes about five seconds.
execute_process(
  COMMAND "${NVCC}" -fatbin -std=c++17 -O3 --threads 2 -Xptxas -v ${FLAGS} -o "${FATBIN}.part"
    "${SOURCE}"
  OUTPUT_VARIABLE said ERROR_VARIABLE said RESULT_VARIABLE status)
file(WRITE "${LOG}" "${said}")
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${NVCC} failed (${status}):\n${said}")
endif()
if(NOT said MATCHES "spill stores")
  message(FATAL_ERROR "${LOG} tells nothing of spills, so they cannot be checked")
endif()
if(said MATCHES "[1-9][0-9]* bytes spill")
  message(FATAL_ERROR "a kernel spills registers, see ${LOG}: ${CMAKE_MATCH_0}")
endif()
if(said MATCHES "[1-9][0-9]* bytes stack frame")
  message(FATAL_ERROR
    "a kernel has an array in local memory, see ${LOG}: ${CMAKE_MATCH_0}; unroll the loops over it")
endif()
file(RENAME "${FATBIN}.part" "${FATBIN}")
