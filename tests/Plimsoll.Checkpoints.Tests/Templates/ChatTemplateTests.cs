using System.Text.Json;
using Plimsoll.Checkpoints.Templates;

namespace Plimsoll.Checkpoints.Tests.Templates;

/// <summary>Expected texts are those of jinja2 3.1.6 in the environment that transformers sets up (trim_blocks, lstrip_blocks, loopcontrols, its tojson).</summary>
public class ChatTemplateTests
{
    private static readonly ChatMessage[] Messages = [new("system", " Be brief.\n"), new("user", "Hi \"you\""), new("assistant", "Hello.")];

    [Theory]
    [InlineData("{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m['content'] | trim }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi \"you\"<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n<|im_start|>assistant\n")]
    [InlineData("a\n  {% if true %}\n  b\n  {%- else %}\n  {%+ endif %}\n c {# x #}\nd\n", "a\n  b c d")]
    [InlineData("{{- bos_token -}}  \n x {{- eos_token }} \n y", "<s>x</s> \n y")]
    [InlineData("{% set ns = namespace(n=0) %}{% for m in messages if m.role != 'system' %}{% set ns.n = ns.n + loop.index %}{% set x = 1 %}{% endfor %}{{ ns.n }}{{ x is defined }}", "3False")]
    [InlineData("{% for m in messages %}{% if loop.first %}{% continue %}{% endif %}{{ loop.index0 }}{{ loop.last }}{{ loop.previtem.role }}{% break %}{% endfor %}", "1Falsesystem")]
    [InlineData("{% macro f(a, b='x', c=a) %}[{{ a }}{{ b }}{{ c }}]{% endmacro %}{{ f(1) }}{{ f(1, 2, c=3) }}{{ f(b=5, a=4) | upper }}", "[1x1][123][454]")]
    [InlineData("{% macro g() %}<{{ caller(1) }}>{% endmacro %}{% call(v) g() %}{{ v }}!{% endcall %}", "<1!>")]
    [InlineData("{% set x %}  a {{ 1 }} {% endset %}{{ x | length }}{% set y | trim %} b {% endset %}{{ y }}{% filter upper %}c{% endfilter %}", "6bC")]
    [InlineData("{{ messages[1:] | map(attribute='role') | join(', ') }}|{{ messages[-1].content[::-1] }}|{{ messages | selectattr('role', 'equalto', 'user') | list | length }}", "user, assistant|.olleH|1")]
    [InlineData("{{ {'a': [1, 2.5, true, none], 'b': 'é\\n'} | tojson }}{{ [1, {'x': []}] | tojson(indent=2) }}", "{\"a\": [1, 2.5, true, null], \"b\": \"é\\n\"}[\n  1,\n  {\n    \"x\": []\n  }\n]")]
    [InlineData("{{ {'a': ['x', 1.0, None, True], 2: \"it's\"} }}", "{'a': ['x', 1.0, None, True], 2: \"it's\"}")]
    [InlineData("{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 3 }} {{ 1 + 2 * 3 }} {{ 'a' ~ 1 ~ none }} {{ 'ab' * 2 }} {{ 1 < 2 < 3 }} {{ not 1 == 2 }}", "3 -4 2 3.5 8 7 a1None abab True True")]
    [InlineData("{{ 'a,b,,c'.split(',') }}{{ ' a  b '.split() }}{{ 'x-y-z'.split('-', 1)[1] }}{{ '--a-'.strip('-') }}{{ 'abc'.startswith(('x', 'a')) }}{{ '{} {1}'.replace('1', '0') }}", "['a', 'b', '', 'c']['a', 'b']y-zaTrue{} {0}")]
    [InlineData("{% set d = {'b': 1, 'a': 2} %}{% for k, v in d.items() %}{{ k }}{{ v }}{% endfor %}{% for k, v in d | dictsort %}{{ k }}{{ v }}{% endfor %}{{ d.get('z', 'none') }}{{ 'a' in d }}", "b1a2a2b1noneTrue")]
    [InlineData("{{ nothing }}{{ nothing | default('d') }}{{ '' | default('e', true) }}{{ nothing is defined }}{{ 3 is odd }}{{ 'a' is string and messages is iterable and messages[0] is mapping }}{{ 'A' if false }}", "deFalseTrueTrue")]
    [InlineData("{{ 'one\ntwo' | indent(2) }}{{ 'hello world' | title }}{{ 'aXbX' | replace('X', '-') }}{{ [3, 1, 2] | sort | first }}{{ range(0, 10, 4) | list }}{{ '%s=%d' % ('a', 3) }}", "one\n  twoHello Worlda-b-1[0, 4, 8]a=3")]
    [InlineData("{{ strftime_now('%d %b %Y %H:%M, %-d %B') }}", "07 Mar 2025 09:05, 7 March")]
    [InlineData("{% generation %}{{ messages | length }}{% endgeneration %}{% for x in [] %}{% else %}none{% endfor %}{{ thinking }}", "3noneTrue")]
    public void A_template_writes_what_Jinja_writes(string template, string expected)
    {
        var options = new ChatTemplateOptions
        {
            BosToken = "<s>", EosToken = "</s>", Time = new FixedTime(), Variables = new Dictionary<string, JsonElement> { ["thinking"] = JsonElement.Parse("true") },
        };
        Assert.Equal(expected, ChatTemplate.Parse(template).Render(Messages, options));
    }

    [Fact]
    public void Tools_and_calls_are_values_of_the_template()
    {
        var template = ChatTemplate.Parse("{% for t in tools %}{{ t.function.name }} {{ t.function.parameters | tojson }}{% endfor %}{{ messages[0].tool_calls[0].function.arguments['n'] + 1 }}");
        var text = template.Render(JsonElement.Parse("""[{"role":"assistant","tool_calls":[{"function":{"arguments":{"n":2}}}]}]"""),
            new() { Tools = JsonElement.Parse("""[{"type":"function","function":{"name":"f","parameters":{"type":"object","n":1}}}]""") });
        Assert.Equal("f {\"type\": \"object\", \"n\": 1}3", text);
    }

    [Fact]
    public void A_refusal_of_the_template_is_told_in_its_own_words()
    {
        var template = ChatTemplate.Parse("{{ raise_exception('roles must alternate') }}");
        Assert.Equal("roles must alternate", Assert.Throws<TemplateRefusalException>(() => template.Render(Messages, new())).Message);
    }

    [Theory]
    [InlineData("a\n{% if x %}", "line 2: expected 'elif' or 'else' or 'endif', found the end of the template")]
    [InlineData("{{ x | nope }}", "line 1: the filter 'nope' is not known here")]
    [InlineData("{{ x is nope }}", "line 1: the test 'nope' is not known here")]
    [InlineData("{% include 'x' %}", "line 1: the block 'include' is not known here")]
    [InlineData("\n\n{{ 'abc }}", "line 3: a string does not end")]
    [InlineData("{{ 1 + }}", "line 1: a value is missing before")]
    [InlineData("{{ x", "line 1: a tag does not end in '}}'")]
    [InlineData("{# x", "line 1: a comment does not end")]
    public void What_cannot_be_read_is_refused_with_line_and_word(string template, string expected) =>
        Assert.Contains(expected, Assert.Throws<TemplateException>(() => ChatTemplate.Parse(template)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("\n{{ x.y }}", "line 2: 'x' (undefined) has no 'y'")]
    [InlineData("{{ 1 + 'a' }}", "'+' does not go with a number and a string")]
    [InlineData("{{ messages() }}", "a list cannot be called")]
    [InlineData("{% set x = [] %}{% set x.a = 1 %}", "only attributes of a namespace can be set")]
    [InlineData("{{ 1 // 0 }}", "division by zero")]
    [InlineData("{% for i in range(1000) %}{% for j in range(1000) %}{% for k in range(1000) %}{% endfor %}{% endfor %}{% endfor %}", "steps")]
    [InlineData("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "deep")]
    [InlineData("{{ range(10 ** 12) }}", "a range of more than")]
    public void What_cannot_be_carried_out_ends_in_a_sentence(string template, string expected) =>
        Assert.Contains(expected, Assert.Throws<TemplateException>(() => ChatTemplate.Parse(template).Render(Messages, new())).Message, StringComparison.Ordinal);

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2025, 3, 7, 9, 5, 3, TimeSpan.Zero);

        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;
    }
}
