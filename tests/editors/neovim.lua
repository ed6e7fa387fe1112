-- Asks the server through Neovim, as somebody at the keyboard would, and prints the answers as one line of JSON.

local answers = {}
local seconds = 1000

local function wait_for(what, holds)
  if not vim.wait(60 * seconds, holds, 50) then
    error("waited in vain for " .. what)
  end
end

local function open(path)
  vim.cmd("edit " .. path)
  wait_for("the server", function()
    local client = vim.lsp.buf_get_clients(0)[next(vim.lsp.buf_get_clients(0))]
    return client ~= nil and client.initialized
  end)
  wait_for("a diagnostic", function() return #vim.diagnostic.get(0) > 0 end)
  return vim.diagnostic.get(0)[1]
end

local function ask(method, more)
  local params = vim.lsp.util.make_position_params(0, "utf-16")
  for key, value in pairs(more or {}) do params[key] = value end
  local found = vim.lsp.buf_request_sync(0, method, params, 20 * seconds)
  for _, answer in pairs(found or {}) do return answer.result end
end

local function mend()
  local fixes
  local range = vim.lsp.util.make_range_params(0, "utf-16")
  range.context = { diagnostics = {} }
  wait_for("a quick fix", function()
    for _, answer in pairs(vim.lsp.buf_request_sync(0, "textDocument/codeAction", range, 20 * seconds) or {}) do
      fixes = answer.result
    end
    return fixes ~= nil and #fixes > 0
  end)
  vim.lsp.util.apply_workspace_edit(fixes[1].edit, "utf-16")
  return fixes[1].title
end

local function text()
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")
end

vim.cmd("filetype on")
local policy = open("slip.policy")
answers.policy = policy.code .. " " .. policy.lnum .. ":" .. policy.col .. " " .. policy.message
vim.api.nvim_win_set_cursor(0, { 2, policy.col + 1 })
answers.policy_fix = mend()
vim.api.nvim_win_set_cursor(0, { 2, 12 })
answers.hover = ask("textDocument/hover").contents.value
vim.api.nvim_win_set_cursor(0, { 1, 5 })
vim.lsp.util.apply_workspace_edit(ask("textDocument/rename", { newName = "chiefs" }), "utf-16")
answers.policy_text = text()
vim.fn.search("Lic", "e")
local position = vim.api.nvim_win_get_cursor(0)
vim.api.nvim_win_set_cursor(0, { position[1], position[2] + 1 })
answers.completion = vim.tbl_map(function(item) return item.label end, ask("textDocument/completion"))

local butler = open("butler.yaml")
answers.butler = butler.code .. " " .. butler.message
vim.api.nvim_win_set_cursor(0, { butler.lnum + 1, butler.col + 1 })
answers.butler_fix = mend()
answers.butler_text = text()

io.stdout:write(vim.fn.json_encode(answers) .. "\n")
vim.cmd("qall!")
