<#-- SPDX-License-Identifier: Apache-2.0

Writes META-INF/THIRD-PARTY.txt of each module, and refuses what may not be used. A licence may be
used if its text is here, under its name in SPDX; one in tests/ may be used by tests alone. Where a
dependency lets one choose, the first that may be used is taken. -->
<#assign used = ["GPL-2.0-with-classpath-exception", "GPL-3.0-with-GCC-exception"]>
<#macro row name licence what>
<#if !used?seq_contains(licence)><#assign used = used + [licence]></#if>
${name} (${licence}): ${what}
</#macro>
What Weft uses of others. Who holds the rights is in NOTICE; each licence is below, in full.

<#list dependencyMap as entry>
<#assign library = entry.key licence = "">
<#list entry.value as name>
<#list [name, "tests/" + name] as file>
<#if licence == "" && (file == name || library.artifact.scope == "test")
    && .get_optional_template(file + ".txt").exists><#assign licence = file></#if>
</#list>
</#list>
<#if licence == "">
<#stop library.groupId + ":" + library.artifactId + ":" + library.version + " (scope "
    + library.artifact.scope + ") is under '" + entry.value?join("', '")
    + "', which is none of the licences that may be used: those are the texts in docs/licences;"
    + " other names of theirs are licenseMerges in pom.xml">
</#if>
<@row library.artifactId + "-" + library.version licence
    library.name + ", " + library.groupId + " of Maven Central, " + library.url!""/>
<#switch library.artifactId>
<#case "dnnl">
<@row "  libdnnl.so.3" licence "oneDNN " + library.version?keep_before("-")
    + ", https://github.com/uxlfoundation/oneDNN"/>
<@row "    of which Xbyak, ittnotify" "BSD-3-Clause" "https://github.com/herumi/xbyak,"
    + " https://github.com/intel/ittapi"/>
<@row "  libgomp.so.1" "GPL-3.0-with-GCC-exception" "GCC's OpenMP, its source at"
    + " https://gcc.gnu.org"/>
<#break>
<#case "jcuda-natives">
<@row "  libJCudaDriver-" + library.version + "-linux-x86_64.so" licence "its only part in a bundle"/>
<#break>
<#case "jcublas-natives">
<@row "  libJCublas2-" + library.version + "-linux-x86_64.so" licence "its only part in a bundle"/>
<#break>
<#case "chart.js">
<@row "  of which @kurkle/color-0.3.2" licence "https://github.com/kurkle/color"/>
<#break>
</#switch>
</#list>

A folder that "weft bundle" made holds more: in java/ a part of the OpenJDK that made it, under
GPL-2.0-with-classpath-exception and the licences in java/legal, its source at
https://github.com/openjdk; and where benchmarks are bundled, in harness/weft-harness, parts of
GCC's libstdc++ and libgcc, under GPL-3.0-with-GCC-exception, their source at https://gcc.gnu.org.
<#list used?sort as licence>

==================== ${licence?remove_beginning("tests/")} ====================

<#include licence + ".txt" parse=false>
</#list>
